(t.input_tokens + t.cache_read_tokens + t.cache_write_5m_tokens + t.cache_write_1h_tokens + t.input_audio_tokens + t.cache_audio_tokens)
