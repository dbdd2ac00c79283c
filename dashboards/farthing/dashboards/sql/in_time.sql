$__timeFilter(t.time) AND {{chosen}}
