"""The outside world behind the ports; no adapter knows another one."""
