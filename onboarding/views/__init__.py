"""Pages: gate, form, service, answer. One room for each audience; they do not import each other."""
