"""An offline release kit for Docker Compose applications."""
