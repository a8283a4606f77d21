"""What is killed at random moments, and how what it leaves is judged."""
