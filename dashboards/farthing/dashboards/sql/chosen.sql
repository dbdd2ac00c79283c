{{who_acts}}
    AND $__conditionalAll(if(t.model = '', '(none)', t.model) IN (${model:singlequote}), $model)
