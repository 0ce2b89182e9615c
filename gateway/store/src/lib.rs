//! All SQL: a file a noun, a function a statement.
