"""What every transaction stands on: settings, database, work, events, audit."""
