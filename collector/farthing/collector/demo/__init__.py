"""A made-up company whose agents run for a week, told as real OTLP.

`models` and `cast` say who there is. `run` plays one run, turn by turn; `tape` holds
what is told of it, in the words of `tell`. `incidents` are the two runs worth finding,
and `fleet` puts all on the calendar and yields what exporters would send. `real_agent`
runs `agent`, a program of the OpenAI SDK, against `providers`, a stand-in for OpenAI.
"""
