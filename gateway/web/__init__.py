"""What the gateway serves over HTTP: the supervisors' page, its live news, walls in browsers, and what it is asked."""
