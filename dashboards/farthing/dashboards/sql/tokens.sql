({{prompt}} + t.output_tokens + t.reasoning_tokens + t.output_audio_tokens)
