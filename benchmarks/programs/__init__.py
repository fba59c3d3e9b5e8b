"""What is measured in processes of its own: Panel apps, and scripts that print their figures."""
