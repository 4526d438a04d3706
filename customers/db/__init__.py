"""What of the framework is ours: fields, indexes, statements, paging and routing."""
