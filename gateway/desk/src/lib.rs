//! People and their work: the queue model.
