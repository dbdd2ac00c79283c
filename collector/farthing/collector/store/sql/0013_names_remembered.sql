-- A collector that is killed while it loads sends that batch again when it is back. Others may have loaded
-- thousands of batches into the same server meanwhile: it still has to know the name of this one.
{{#server}}
ALTER TABLE spans{{local}} {{on_cluster}} MODIFY SETTING {{remembered}};
ALTER TABLE runs{{local}} {{on_cluster}} MODIFY SETTING {{remembered}};
ALTER TABLE spend_hourly{{local}} {{on_cluster}} MODIFY SETTING {{remembered}};
ALTER TABLE tellings{{local}} {{on_cluster}} MODIFY SETTING {{remembered}};
ALTER TABLE outcomes{{local}} {{on_cluster}} MODIFY SETTING {{remembered}};
ALTER TABLE telemetry_hourly{{local}} {{on_cluster}} MODIFY SETTING {{remembered}};
ALTER TABLE run_agents{{local}} {{on_cluster}} MODIFY SETTING {{remembered}};
{{/server}}
