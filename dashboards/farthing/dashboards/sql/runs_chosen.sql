{{who}}
    AND $__conditionalAll(t.run_id IN (SELECT c.run_id FROM spans AS c WHERE c.time >= $__fromTime - toIntervalDay(1) AND c.time <= $__toTime AND if(c.agent = '', '(none)', c.agent) IN (${agent:singlequote})), $agent)
    AND $__conditionalAll(t.run_id IN (SELECT c.run_id FROM spans AS c WHERE c.time >= $__fromTime - toIntervalDay(1) AND c.time <= $__toTime AND if(c.model = '', '(none)', c.model) IN (${model:singlequote})), $model)
