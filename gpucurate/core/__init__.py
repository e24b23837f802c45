"""Where NeMo Curator keeps what starts clusters."""
