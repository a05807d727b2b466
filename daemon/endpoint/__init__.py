"""The endpoint: where and how the service is asked over HTTP."""
