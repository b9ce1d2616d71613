"""A recorded day, and what makes one."""
