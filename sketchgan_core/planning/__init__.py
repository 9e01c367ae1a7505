"""What is drawn where, computed from the whole image before it is cut: the plan, and the size it is made at."""
