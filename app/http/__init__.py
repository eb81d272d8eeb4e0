"""What every page and call shares: headers, cross-site defence, throttling, idempotency."""
