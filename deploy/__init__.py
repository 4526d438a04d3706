"""Files by which the service is deployed, and the checks that take it apart."""
