//! Sets of things with names: what a command line or a table calls them.

/// An enum of plain variants, each with its name.
macro_rules! named {
    (
        $(#[doc = $about:literal])*
        $set:ident:
        $($(#[doc = $text:literal])* $variant:ident = $name:literal,)*
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum $set {
            $($(#[doc = $text])* $variant,)*
        }

        impl $set {
            /// All of them.
            pub const ALL: &[$set] = &[$($set::$variant,)*];

            /// What it is called.
            pub fn name(self) -> &'static str {
                match self {
                    $($set::$variant => $name,)*
                }
            }

            /// The one with this name.
            pub fn named(name: &str) -> Option<$set> {
                $set::ALL.iter().copied().find(|one| one.name() == name)
            }
        }
    };
}

pub(super) use named;
