//! The first rows of an answer, and whether there were more.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use futures::stream::{self, BoxStream, StreamExt};
use tributary_engine_core::Result;
use tributary_engine_core::engine::{Frame, Trailer};

/// Whether an answer had more rows than were let through; unset until that is known.
pub(crate) type More = Arc<OnceLock<bool>>;

/// At most so many rows. The query is dropped as soon as one row more has come; what plugins cost is not known then.
pub(crate) fn limited(
    frames: BoxStream<'static, Result<Frame>>,
    rows: u64,
    more: More,
    since: Instant,
) -> BoxStream<'static, Result<Frame>> {
    let limit = Limit {
        frames: Some(frames),
        rows,
        left: rows,
        more,
        since,
    };
    stream::unfold(limit, Limit::next).boxed()
}

struct Limit {
    /// Absent once the answer has ended.
    frames: Option<BoxStream<'static, Result<Frame>>>,
    rows: u64,
    left: u64,
    more: More,
    since: Instant,
}

impl Limit {
    async fn next(mut self) -> Option<(Result<Frame>, Self)> {
        loop {
            match self.frames.as_mut()?.next().await? {
                Ok(Frame::Batch(batch)) if batch.num_rows() == 0 => {}
                Ok(Frame::Batch(_)) if self.left == 0 => return Some((Ok(self.cut()), self)),
                Ok(Frame::Batch(batch)) => {
                    let rows = self.left.min(batch.num_rows() as u64);
                    if rows < batch.num_rows() as u64 {
                        self.frames = Some(stream::iter([Ok(Frame::Batch(batch.clone()))]).boxed());
                    }
                    self.left -= rows;
                    let first = batch.slice(0, rows as usize);
                    return Some((Ok(Frame::Batch(first)), self));
                }
                Ok(Frame::End(trailer)) => {
                    self.more.get_or_init(|| false);
                    self.frames = None;
                    return Some((Ok(Frame::End(trailer)), self));
                }
                Err(error) => {
                    self.frames = None;
                    return Some((Err(error), self));
                }
            }
        }
    }

    /// Ends the answer where there are more rows.
    fn cut(&mut self) -> Frame {
        self.more.get_or_init(|| true);
        self.frames = None;
        let elapsed_us = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        Frame::End(Trailer {
            rows: self.rows,
            elapsed_us,
            plugins: Vec::new(),
        })
    }
}
