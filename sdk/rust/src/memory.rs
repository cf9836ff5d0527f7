//! The allocator of a plugin. Small blocks, which is texts and the columns of short batches, come from
//! lists of free blocks by size, a few instructions each; the rest is the standard library's. It
//! deliberately knows nothing of columns, and never gives a small block's memory back: a plugin
//! has as much of it as its largest batch needed.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::null_mut;

/// The smallest block, and what every block is aligned to.
const SMALLEST: usize = 16;
/// Sizes of blocks: powers of two, from the smallest up.
const SIZES: usize = 8;
/// The largest block.
const LARGEST: usize = SMALLEST << (SIZES - 1);
/// What is asked of the standard library at a time.
const SLAB: usize = 32 << 10;

/// The allocator.
pub(crate) struct Blocks {
    /// the first free block of each size; it holds the address of the next
    free: [Cell<*mut u8>; SIZES],
    /// where blocks that never were in use begin
    fresh: Cell<*mut u8>,
    fresh_bytes: Cell<usize>,
}

// SAFETY: a plugin has one thread; the host offers no way to start another.
unsafe impl Sync for Blocks {}

#[global_allocator]
static BLOCKS: Blocks = Blocks {
    free: [const { Cell::new(null_mut()) }; SIZES],
    fresh: Cell::new(null_mut()),
    fresh_bytes: Cell::new(0),
};

/// The place of a layout in `free`, if it is small.
#[inline]
fn place(layout: Layout) -> Option<usize> {
    let bytes = layout.size().max(SMALLEST);
    if bytes > LARGEST || layout.align() > SMALLEST {
        return None;
    }
    let above = usize::BITS - (bytes - 1).leading_zeros();
    Some((above - SMALLEST.trailing_zeros()) as usize)
}

impl Blocks {
    #[cold]
    #[inline(never)]
    fn carve(&self, place: usize) -> *mut u8 {
        let bytes = SMALLEST << place;
        if self.fresh_bytes.get() < bytes {
            // SAFETY: neither is zero, and the alignment is a power of two.
            let slab = unsafe { System.alloc(Layout::from_size_align_unchecked(SLAB, SMALLEST)) };
            if slab.is_null() {
                return slab;
            }
            self.fresh.set(slab);
            self.fresh_bytes.set(SLAB);
        }
        let block = self.fresh.get();
        self.fresh.set(block.wrapping_add(bytes));
        self.fresh_bytes.set(self.fresh_bytes.get() - bytes);
        block
    }
}

// SAFETY: a block belongs to whoever got it until it is given back, because it is either in a list,
// or beyond `fresh`, or neither; it is as long and as aligned as its layout, see `place`.
unsafe impl GlobalAlloc for Blocks {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(place) = place(layout) else {
            // SAFETY: the caller's promise is the same.
            return unsafe { System.alloc(layout) };
        };
        let block = self.free[place].get();
        if block.is_null() {
            return self.carve(place);
        }
        // SAFETY: a free block holds the address of the next; see `dealloc`.
        self.free[place].set(unsafe { block.cast::<*mut u8>().read() });
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(place) = place(layout) else {
            // SAFETY: the caller's promise is the same.
            return unsafe { System.dealloc(block, layout) };
        };
        // SAFETY: nobody has the block any more, and it is long and aligned enough.
        unsafe { block.cast::<*mut u8>().write(self.free[place].get()) };
        self.free[place].set(block);
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: the caller promises that the size is right for the alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(bytes, layout.align()) };
        match (place(layout), place(wanted)) {
            // SAFETY: the caller's promise is the same.
            (None, None) => unsafe { System.realloc(block, layout, bytes) },
            (there, wanted) if there == wanted => block,
            // SAFETY: the new block is not the old one, and both are as long as what is copied.
            _ => unsafe {
                let copy = self.alloc(wanted);
                if !copy.is_null() {
                    copy.copy_from_nonoverlapping(block, layout.size().min(bytes));
                    self.dealloc(block, layout);
                }
                copy
            },
        }
    }
}
