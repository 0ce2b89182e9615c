//! What strangers write in HTML, and what is left of it.

use std::collections::BTreeMap;

use super::*;

fn media() -> BTreeMap<String, String> {
    [("logo@x".to_owned(), "/api/v1/media/m1".to_owned())].into()
}

fn shown(html: &str) -> Clean {
    clean(
        html,
        &View {
            media: &media(),
            images: Images::Blocked,
        },
    )
}

/// What acts, in the spellings that filters were deceived with. Nothing of it may be left.
#[test]
fn nothing_that_acts_is_left() {
    let attempts = [
        "<script>alert(1)</script>",
        "<ScRiPt src=//x.example></sCrIpT>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)><a xlink:href='javascript:alert(1)'>x</a></svg>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href='JaVa&#x0A;ScRiPt:alert(1)'>x</a>",
        "<a href=' &#14; javascript:alert(1)'>x</a>",
        "<a href='vbscript:x'>x</a><a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<iframe src='https://x.example'></iframe><object data=x></object><embed src=x>",
        "<form action='https://x.example'><input name=cpf><button formaction=x>ok</button></form>",
        "<meta http-equiv=refresh content='0;url=https://x.example'><base href='https://x.example'>",
        "<link rel=stylesheet href='https://x.example/x.css'><style>@import 'https://x.example'</style>",
        "<div style='background:url(https://x.example/p.gif)'>x</div>",
        "<div style=\"width:expression(alert(1));color:red;background-color:u\\72l(//x.example)\">x</div>",
        "<div style='position:fixed;top:0;z-index:9'>x</div>",
        "<table background='https://x.example/p.gif'><tr><td>x</td></tr></table>",
        "<video src='https://x.example' poster='https://x.example'></video><audio src=x></audio>",
        "<img srcset='https://x.example/a 1x' src='cid:none'>",
        "<body background='https://x.example'><p onclick='x()' onmouseover=x()>x</p>",
        "<template><img src=x onerror=alert(1)></template>",
        "<textarea><img title='</textarea><img src=x onerror=alert(1)>'></textarea>",
        "<xmp><p title=\"</xmp><img src=x onerror=alert(1)>\"></xmp>",
        "<!--[if mso]><script>alert(1)</script><![endif]-->",
        "<p id='x' name='y'><img name=getElementById src=cid:x>",
        "<img src='data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+'>",
        "<image src=x onerror=alert(1)><isindex action=javascript:alert(1)>",
    ];
    for attempt in attempts {
        let html = shown(attempt).html;
        let tags: String = html
            .split('<')
            .skip(1)
            .filter_map(|tag| tag.split('>').next())
            .collect::<Vec<_>>()
            .join("<");
        for word in [
            "script",
            "onerror",
            "onload",
            "onclick",
            "onmouseover",
            "iframe",
            "form",
            "meta",
            "base",
            "style=\"b",
            "url(",
            "expression",
            "position",
            "http-equiv",
            "srcset",
            "svg",
            "math",
            "object",
            "embed",
            "video",
            "poster",
            "background=",
            "input",
            "link",
            " id=",
            " name=",
            "vbscript",
            "data:text",
        ] {
            assert!(
                !tags.to_lowercase().contains(word),
                "{attempt} leaves {html}"
            );
        }
        assert!(!tags.contains(" src="), "{attempt} loads: {html}");
    }
}

#[test]
fn pictures_elsewhere_wait_until_the_agent_allows_them() {
    let html =
        "<img src='https://cdn.example/a.png?u=1&v=2' alt=Foto><img src=HTTP://b.example/p.gif>";
    let blocked = shown(html);
    assert_eq!(
        blocked.html,
        "<img alt=\"Foto\" data-src=\"https://cdn.example/a.png?u=1&amp;v=2\"><img data-src=\"http://b.example/p.gif\">"
    );
    assert_eq!(blocked.blocked, 2);
    let elsewhere: Vec<&str> = blocked.elsewhere.iter().map(String::as_str).collect();
    let first = "https://cdn.example/a.png?u=1&v=2";
    assert_eq!(elsewhere, ["http://b.example/p.gif", first]);
    let had = BTreeMap::from([(first.to_owned(), "data:image/png;base64,AAAA".to_owned())]);
    let allowed = clean(
        html,
        &View {
            media: &media(),
            images: Images::Had(&had),
        },
    );
    assert_eq!(allowed.blocked, 1, "one could not be fetched");
    assert_eq!(
        allowed.html,
        "<img alt=\"Foto\" src=\"data:image/png;base64,AAAA\"><img data-src=\"http://b.example/p.gif\">"
    );
}

#[test]
fn pictures_of_the_mail_come_from_our_own_store() {
    let html = "<img src=\"cid:logo@x\"><img src='CID:logo%40x'><img src='cid:other' alt=outro>";
    let place = "<img src=\"/api/v1/media/m1\">";
    assert_eq!(
        shown(html).html,
        format!("{place}{place}<img alt=\"outro\">")
    );
    assert!(content_ids(html).contains("logo@x"));
    assert_eq!(
        content_ids("<a title='cid:a%40b'>cid:c d")
            .into_iter()
            .collect::<Vec<_>>(),
        ["a@b", "c"]
    );
    let inside = "<img src=\"data:image/png;base64,AAAA\">";
    assert_eq!(shown(inside).html, inside);
}

#[test]
fn links_say_where_they_go() {
    let html = shown("<a href='https://evil.example/x'>www.banco.example</a> <a href='https://www.loja.example/'>loja.example</a>").html;
    let rest = "rel=\"noopener noreferrer nofollow\" target=\"_blank\"";
    assert_eq!(
        html,
        format!(
            "<a href=\"https://evil.example/x\" data-host=\"evil.example\" class=\"other-host\" {rest}>www.banco.example</a> \
             <a href=\"https://www.loja.example/\" data-host=\"www.loja.example\" class=\"link\" {rest}>loja.example</a>"
        )
    );
    assert_eq!(
        shown("<a href='mailto:a@b.example' target=x>a</a>").html,
        "<a href=\"mailto:a@b.example\">a</a>"
    );
    let deceit = shown("<a href='https://banco.example@evil.example/'>banco.example</a>").html;
    assert!(
        deceit.contains("data-host=\"evil.example\" class=\"other-host\""),
        "{deceit}"
    );
}

#[test]
fn what_makes_text_readable_stays() {
    let html = "<p style=\"color:red;text-align:center;position:fixed\"><b>a</b> &lt;b&gt; &amp; \u{e7}</p><table border=\"1\"><tbody><tr><td colspan=\"2\">x</td></tr></tbody></table>";
    assert_eq!(shown(html).html, html.replace(";position:fixed", ""));
}

#[test]
fn cleaning_what_is_clean_changes_nothing() {
    for (_, raw) in crate::email::tests::mails() {
        let Ok(mail) = crate::email::read(&raw) else {
            continue;
        };
        let Some(html) = mail.html else { continue };
        let once = sanitizer().clean(&html).to_string();
        assert_eq!(sanitizer().clean(&once).to_string(), once);
    }
}

#[test]
fn quotations_are_marked_by_what_programs_write() {
    let rows = [
        (
            "<div class='x_gmail_quote gmail_quote_container'>a</div>",
            "quoted",
        ),
        ("<blockquote type='cite'>a</blockquote>", "quoted"),
        ("<div id='divRplyFwdMsg'>a</div>", "quoted-below"),
        ("<div id='x_appendonsend'>a</div>", "quoted-below"),
        ("<div class='gmail_signature'>a</div>", "signature"),
    ];
    for (html, class) in rows {
        let shown = shown(html);
        assert!(
            shown.html.contains(&format!("class=\"{class}\"")),
            "{}",
            shown.html
        );
        assert_eq!(shown.quotes, class != "signature");
    }
    assert!(
        !shown("<div class='link-host quoted' id=quoted>a</div>")
            .html
            .contains("class"),
        "only we mark"
    );
}

#[test]
fn a_page_has_its_policy_and_folds_what_is_quoted() {
    let page = |folded| page(&shown("<p>Oi</p>"), folded);
    assert!(
        page(true).contains("default-src 'none'")
            && page(true).contains(".quoted-below~*{display:none}")
    );
    assert!(
        !page(false).contains("display:none") && page(false).ends_with("<p>Oi</p></body></html>")
    );
    assert!(!FRAME_SANDBOX.contains("scripts") && !FRAME_SANDBOX.contains("same-origin"));
}

#[test]
fn html_becomes_the_text_that_a_person_would_type() {
    let rows = [
        ("<p>Um</p><p>Dois<br>tres</p>", "Um\n\nDois\ntres"),
        ("a &amp; b&nbsp;c\n\n  d", "a & b c d"),
        (
            "<blockquote>q1<br>q2<blockquote>q3</blockquote></blockquote>fim",
            "> q1\n> q2\n> > q3\nfim",
        ),
        ("<pre>a\n  b</pre>", "a\n  b"),
        (
            "<a href='https://x.example/a'>aqui</a>",
            "aqui (https://x.example/a)",
        ),
        ("<a href='https://x.example/'>x.example</a>", "x.example"),
        (
            "<a href='mailto:a@x.example'>a@x.example</a>",
            "a@x.example",
        ),
        ("<img alt='Foto' src=x><hr>fim", "[Foto]\n----------\nfim"),
        ("<style>x</style><script>y</script><title>z</title>oi", "oi"),
        ("<div><div><div>a</div></div></div><div>b</div>", "a\nb"),
        ("", ""),
    ];
    for (html, expected) in rows {
        assert_eq!(text(html), expected, "{html}");
    }
    assert_eq!(text(&of_text("a <b> & \"c\"\nd")), "a <b> & \"c\"\nd");
}

#[test]
fn honest_html_of_every_fixture_and_large_newsletters_pass_the_guard() {
    for (name, raw) in crate::email::tests::mails() {
        let mail = crate::email::read(&raw).expect("a mail");
        assert!(
            !mail.notes.contains(&crate::email::Note::HtmlLeftOut),
            "{name}"
        );
    }
    let row = "<tr><td><font color=red><b><a href='https://x.example/1'>x</a><p>texto<img src=x></td><td><span style='a'>y</span></tr>";
    assert!(is_safe_to_parse(&format!(
        "<table>{}</table>",
        row.repeat(8_000)
    )));
    assert!(is_safe_to_parse(&"<blockquote><div>x".repeat(300)));
    let outlook = "<!--[if mso]><table><tr><td><b><i><![endif]--><p class=MsoNormal><b><span>x<o:p></o:p></span></b></p>";
    assert!(is_safe_to_parse(&outlook.repeat(5_000)));
}

/// Each would make a parser build more than fits a computer, or hides that from a count of tags.
#[test]
fn what_would_take_a_parser_forever_is_not_parsed() {
    let open: String = (0..5_000).map(|n| format!("<b a={n}>")).collect();
    let pieces = "</p><p>x".repeat(40_000);
    let closed = "</b>".repeat(5_000);
    let attempts = [
        format!("<p>{open}{pieces}"),
        format!("<p>{open}<!--{closed}-->{pieces}"),
        format!("<p>{open}<i title=\"{closed}\">{pieces}"),
        format!("<p>{open}<style>{closed}</style>{pieces}"),
        format!("<p>{open}<table><td>{closed}</table>{pieces}"),
        format!("<p>{open}<object>{closed}</object>{pieces}"),
        format!("<p>{open}<select><style><i title=\"</style>{closed}\">{pieces}"),
        format!("<p>{open}<svg><style><i title=\"</style>{closed}\">{pieces}"),
        format!("<p>{open}<![CDATA[>{closed}]]>{}", pieces.repeat(4)),
        "<span></div>".repeat(100_000),
        "<div>".repeat(2_000),
        "x".repeat(3 * 1024 * 1024),
    ];
    for (at, attempt) in attempts.iter().enumerate() {
        let refused = !is_safe_to_parse(attempt);
        assert!(refused, "attempt {at}: {}", &attempt[..40]);
    }
}

#[test]
fn what_the_guard_lets_pass_is_parsed_in_bounds() {
    let attempts = [
        format!("{}{}", "<b a=1><i><u>".repeat(20), "</p><p>x".repeat(7_000)),
        format!("{}{}", "<div>".repeat(900), "<p>x".repeat(50_000)),
        format!(
            "<p>{}<![CDATA[>{}]]>",
            (0..500).map(|n| format!("<b a={n}>")).collect::<String>(),
            "</b>".repeat(500)
        ),
    ];
    for attempt in attempts {
        assert!(is_safe_to_parse(&attempt), "{}", &attempt[..40]);
        let bytes = shown(&attempt).html.len();
        assert!(bytes > 1_000 && bytes < 50_000_000, "{bytes}");
    }
}
