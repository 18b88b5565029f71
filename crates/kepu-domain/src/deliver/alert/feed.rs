//! Feeds that link to messages: RSS 2.0 and Atom, as far as links are concerned.

use super::cap::tree;
use roxmltree::Node;

/// Links of a feed at most; the first are the newest.
const LINKS_MAX: usize = 1_000;

/// A link to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What names this version of the entry: its id with its time, else the address.
    pub key: String,
    /// The address.
    pub href: String,
}

/// The messages that a feed links to, in its order; `None` if the text is no feed.
pub fn links(text: &str) -> Option<Vec<Link>> {
    tree(text, |root| {
        let name = root.tag_name().name();
        if !matches!(name, "rss" | "feed" | "RDF") {
            return None;
        }
        let entries = root.descendants().filter(|node| matches!(node.tag_name().name(), "item" | "entry"));
        Some(entries.filter_map(link).take(LINKS_MAX).collect())
    })
    .ok()
    .flatten()
}

fn link(entry: Node<'_, '_>) -> Option<Link> {
    let text = |name: &str| entry.children().find(|node| node.tag_name().name() == name).and_then(|node| node.text()).map(|text| text.trim().to_owned());
    let is_cap = |node: &Node<'_, '_>| node.attribute("type").is_some_and(|kind| kind.starts_with("application/cap+xml"));
    let linking = || entry.children().filter(|node| matches!(node.tag_name().name(), "link" | "enclosure" | "content"));
    let address =
        |node: Node<'_, '_>| node.attribute("href").or(node.attribute("url")).or(node.attribute("src")).or(node.text()).map(|text| text.trim().to_owned());
    let href = linking().find(is_cap).and_then(address).or_else(|| linking().filter(|node| node.tag_name().name() == "link").find_map(address))?;
    let time = text("updated").or_else(|| text("pubDate")).unwrap_or_default();
    let id = text("id").or_else(|| text("guid")).unwrap_or_else(|| href.clone());
    (href.starts_with("http://") || href.starts_with("https://")).then(|| Link { key: format!("{id} {time}"), href })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_in_both_kinds_of_feeds() {
        let atom = "<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><id>a</id><updated>t</updated><link href=\"https://x.example.org/p.html\"/>\
                    <link type=\"application/cap+xml\" href=\"https://x.example.org/a.xml\"/></entry></feed>";
        assert_eq!(links(atom), Some(vec![Link { key: "a t".into(), href: "https://x.example.org/a.xml".into() }]));
        let rss = "<rss><channel><link>https://x.example.org/</link><item><link>https://x.example.org/b.xml</link><pubDate>t</pubDate></item><item><link>javascript:x</link></item></channel></rss>";
        assert_eq!(links(rss).map(|list| list.into_iter().map(|link| link.href).collect::<Vec<_>>()), Some(vec!["https://x.example.org/b.xml".to_owned()]));
        assert_eq!((links("<alert/>"), links("<rss"), links("<!DOCTYPE rss [<!ENTITY a \"b\">]><rss/>")), (None, None, None));
    }
}
