"""Growth: what the scheduler, the API server and the database do with very many tasks, whose work is a sleep."""
