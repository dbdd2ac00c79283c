{{runs_who}}
    AND $__conditionalAll(t.run_id IN (SELECT c.run_id FROM run_agents AS c WHERE arrayExists(model -> if(model = '', '(none)', model) IN (${model:singlequote}), c.models)), $model)
