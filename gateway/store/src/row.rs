//! Columns of a row as our types.

use std::error::Error as StdError;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;

/// What the nouns read from a row. A value that is none of ours is an error that names its
/// column: somebody else wrote to the database.
pub(crate) trait Columns {
    fn text(&self, column: &str) -> sqlx::Result<String>;
    fn text_maybe(&self, column: &str) -> sqlx::Result<Option<String>>;
    fn whole(&self, column: &str) -> sqlx::Result<i64>;
    fn whole_maybe(&self, column: &str) -> sqlx::Result<Option<i64>>;
    fn bytes(&self, column: &str) -> sqlx::Result<Vec<u8>>;
    fn bytes_maybe(&self, column: &str) -> sqlx::Result<Option<Vec<u8>>>;
    fn real_maybe(&self, column: &str) -> sqlx::Result<Option<f64>>;

    fn flag(&self, column: &str) -> sqlx::Result<bool> {
        Ok(self.whole(column)? != 0)
    }

    /// A count, size or version, which never is below zero.
    fn count<T: TryFrom<i64, Error: StdError + Send + Sync + 'static>>(
        &self,
        column: &str,
    ) -> sqlx::Result<T> {
        self.whole(column)?
            .try_into()
            .map_err(|error| bad(column, error))
    }

    fn count_maybe<T: TryFrom<i64, Error: StdError + Send + Sync + 'static>>(
        &self,
        column: &str,
    ) -> sqlx::Result<Option<T>> {
        let whole = self.whole_maybe(column)?;
        whole
            .map(T::try_from)
            .transpose()
            .map_err(|error| bad(column, error))
    }

    /// An id or a word.
    fn parsed<T: FromStr<Err: StdError + Send + Sync + 'static>>(
        &self,
        column: &str,
    ) -> sqlx::Result<T> {
        self.text(column)?
            .parse()
            .map_err(|error| bad(column, error))
    }

    fn parsed_maybe<T: FromStr<Err: StdError + Send + Sync + 'static>>(
        &self,
        column: &str,
    ) -> sqlx::Result<Option<T>> {
        let text = self.text_maybe(column)?;
        text.map(|text| text.parse())
            .transpose()
            .map_err(|error| bad(column, error))
    }

    fn json<T: DeserializeOwned>(&self, column: &str) -> sqlx::Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(|error| bad(column, error))
    }

    fn json_maybe<T: DeserializeOwned>(&self, column: &str) -> sqlx::Result<Option<T>> {
        let text = self.text_maybe(column)?;
        text.map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| bad(column, error))
    }
}

impl Columns for AnyRow {
    fn text(&self, column: &str) -> sqlx::Result<String> {
        self.try_get(column)
    }

    fn text_maybe(&self, column: &str) -> sqlx::Result<Option<String>> {
        self.try_get(column)
    }

    fn whole(&self, column: &str) -> sqlx::Result<i64> {
        self.try_get(column)
    }

    fn whole_maybe(&self, column: &str) -> sqlx::Result<Option<i64>> {
        self.try_get(column)
    }

    fn bytes(&self, column: &str) -> sqlx::Result<Vec<u8>> {
        self.try_get(column)
    }

    fn bytes_maybe(&self, column: &str) -> sqlx::Result<Option<Vec<u8>>> {
        self.try_get(column)
    }

    fn real_maybe(&self, column: &str) -> sqlx::Result<Option<f64>> {
        self.try_get(column)
    }
}

/// JSON for a text column.
///
/// What we write has text keys and finite numbers; anything else is a bug of the caller, told
/// as an encoding error.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// A size or count for a BIGINT column. Ours fit: no file has 2^63 bytes.
pub(crate) fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn bad(column: &str, error: impl StdError + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: error.into(),
    }
}
