"""Tests of the browsers' extension, which share the browsers and the service."""
