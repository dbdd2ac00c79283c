"""What the libraries' files share: one call, from before it is sent until it ended.

`call.Watch` tells the observers and enriches the span that is current; `reading` reads
answers, `spans` writes what nobody else does, `stainless` is the way into the SDKs that
are generated alike (OpenAI, Anthropic). Nothing here raises into an agent, except what
a guard that was switched on raises.
"""
