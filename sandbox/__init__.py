"""A local AWS for the demo and the tests: STS and IAM that really decide, and an SSO portal with sign-in."""
