"""Looking at rejected records. Whoever sends them again after a fix (`replay`) belongs here too."""
