"""What torch allocates through."""

rmm_torch_allocator = "rmm_torch_allocator"
