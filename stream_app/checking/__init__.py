"""What `check` looks at: facts are read at the edges, judged purely, told as findings."""
