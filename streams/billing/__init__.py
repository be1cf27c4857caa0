"""What billing holds, as tables of its own database: coding events applied exactly once, and what is made of them."""
