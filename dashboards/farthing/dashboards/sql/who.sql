-- What is chosen of the variables, for a table with the alias t. Grafana takes the empty
-- text for "all", so what has no tag is chosen by a name.
$__conditionalAll(if(t.business_unit = '', '(none)', t.business_unit) IN (${business_unit:singlequote}), $business_unit)
    AND $__conditionalAll(if(t.task_type = '', '(none)', t.task_type) IN (${task_type:singlequote}), $task_type)
    AND $__conditionalAll(if(t.environment = '', '(none)', t.environment) IN (${environment:singlequote}), $environment)
