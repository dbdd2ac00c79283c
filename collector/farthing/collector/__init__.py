"""The collector: receive, spool, load, price, and let people ask."""
