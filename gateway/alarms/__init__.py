"""What is wrong on the floor, in words that say what to do, and who has seen to it."""
