-- Runs of who is chosen; an agent is in a run if it did anything in it.
{{who}}
    AND $__conditionalAll(t.run_id IN (SELECT c.run_id FROM run_agents AS c WHERE if(c.agent = '', '(none)', c.agent) IN (${agent:singlequote})), $agent)
