"""Moving objects between stores."""
