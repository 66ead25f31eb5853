"""One module a verb: it declares the options and calls one function of `sqlgauge.verbs`. Heavy imports stay inside."""
