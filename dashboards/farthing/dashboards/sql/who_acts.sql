{{who}}
    AND $__conditionalAll(if(t.agent = '', '(none)', t.agent) IN (${agent:singlequote}), $agent)
