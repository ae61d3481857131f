"""A web service over S3 under many clients at once."""
