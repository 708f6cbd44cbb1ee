"""What the business wants: one YAML file, read, checked and given a state version."""
