"""Load profiles: the TOML files under `configs/profiles`, read, checked and scaled."""
