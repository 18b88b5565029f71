//! The bridge from `kepu-text` tokens to tantivy: folds a text and gives its letters, pairs and words.
//!
//! What a token is, is decided in `kepu_text::pieces`. A change there or in `kepu_text::fold` needs a new
//! [`crate::schema::STAMP`].

use kepu_text::fold::fold;
use kepu_text::pieces::{Grams, grams};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// Name under which the tokenizer is registered; stored in the schema of every index.
pub(crate) const NAME: &str = "kepu";

/// Folds and cuts one field value at a time.
#[derive(Clone, Default)]
pub(crate) struct GramTokenizer {
    key: String,
}

/// Tokens of one field value.
pub(crate) struct GramStream<'a> {
    grams: Grams<'a>,
    token: Token,
}

impl Tokenizer for GramTokenizer {
    type TokenStream<'a> = GramStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> GramStream<'a> {
        self.key = fold(text);
        GramStream { grams: grams(&self.key), token: Token::default() }
    }
}

impl TokenStream for GramStream<'_> {
    fn advance(&mut self) -> bool {
        let Some(gram) = self.grams.next() else { return false };
        self.token.text.clear();
        self.token.text.push_str(&gram.text);
        // Places are in the folded text, not the original: snippets are made from the stored text, not from these.
        self.token.position = gram.start;
        self.token.offset_from = gram.start;
        self.token.offset_to = gram.end;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
