//! Memory for the host, and how that may go wrong: columns of so many rows of 64 bits get none, or
//! get it where they should not. Nothing else in this guest asks for blocks of these sizes.

use std::alloc::{GlobalAlloc, Layout, System};

use crate::functions::spin;

const BEYOND_MEMORY: usize = 8 * 777;
const MISALIGNED: usize = 8 * 778;
const SPINS: usize = 8 * 779;
const TRAPS: usize = 8 * 780;
/// Given back only after the call, once the host has read the result.
const SPINS_AFTERWARDS: usize = 8 * 781;
const TRAPS_AFTERWARDS: usize = 8 * 782;
const NULL: usize = 8 * 783;

struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

// SAFETY: for all other sizes it is the system's; for these it is not safe, and that is the point.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match layout.size() {
            BEYOND_MEMORY => return 0xffff_fff0_usize as *mut u8,
            // SAFETY: as above; the block is larger than what is used of it.
            MISALIGNED => return unsafe { System.alloc(layout).add(1) },
            SPINS => spin(),
            TRAPS => core::arch::wasm32::unreachable(),
            NULL => return std::ptr::null_mut(),
            _ => {}
        }
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match layout.size() {
            SPINS_AFTERWARDS => spin(),
            TRAPS_AFTERWARDS => core::arch::wasm32::unreachable(),
            _ => {}
        }
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(block, layout) }
    }
}
