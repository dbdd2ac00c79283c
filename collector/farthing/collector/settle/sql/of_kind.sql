SELECT link FROM ({{links}}) WHERE is_hard = {{is_hard}}
