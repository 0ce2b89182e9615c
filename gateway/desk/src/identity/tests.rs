//! Ids as channels and people write them, as tables.

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

use super::*;

const PAULISTA: Place<'static> = Place {
    country: "55",
    area: Some("11"),
};

fn key(byte: u8) -> CpfKey {
    CpfKey::new([byte; 32])
}

fn read(kind: IdentityKind, scope: &str, text: &str) -> Result<Identity, InvalidIdentity> {
    let cpf_key = &key(1);
    let place = PAULISTA;
    Identity::read(kind, scope, text, Reading { place, cpf_key })
}

#[test]
fn both_spellings_of_a_brazilian_mobile_are_one_to_find_and_two_to_send_to() {
    #[rustfmt::skip]
    let rows: &[(IdentityKind, &str, &str, &str)] = &[
        (IdentityKind::Phone, "(21) 98765-4321", "+5521987654321", "+5521987654321"),
        (IdentityKind::Phone, "21 8765-4321", "+5521987654321", "+5521987654321"),
        (IdentityKind::WaId, "5521987654321", "5521987654321", "+5521987654321"),
        (IdentityKind::WaId, "552187654321", "552187654321", "+5521987654321"),
        (IdentityKind::WaId, "+552187654321", "552187654321", "+5521987654321"),
        (IdentityKind::WaId, "553161234567", "553161234567", "+5531961234567"),
        // What was trunked radio is a mobile to WhatsApp, so it is found as one.
        (IdentityKind::Phone, "7812-3456", "+551178123456", "+5511978123456"),
        (IdentityKind::WaId, "551178123456", "551178123456", "+5511978123456"),
        // Fixed telephones have no ninth digit, nor has any number without an area.
        (IdentityKind::Phone, "(11) 3123-4567", "+551131234567", "+551131234567"),
        (IdentityKind::WaId, "551131234567", "551131234567", "+551131234567"),
        (IdentityKind::WaId, "551155551234", "551155551234", "+551155551234"),
        (IdentityKind::Phone, "0800 123 4567", "+558001234567", "+558001234567"),
        (IdentityKind::Phone, "4004-1234", "+5540041234", "+5540041234"),
        // Nor has what is abroad.
        (IdentityKind::Phone, "+1 202 555 0100", "+12025550100", "+12025550100"),
        (IdentityKind::WaId, "4915112345678", "4915112345678", "+4915112345678"),
        (IdentityKind::WaId, "59899123456", "59899123456", "+59899123456"),
    ];
    for (kind, text, external_id, lookup) in rows {
        let identity = read(*kind, "", text).expect(text);
        assert_eq!(identity.external_id(), *external_id, "{text}");
        assert_eq!(identity.lookup(), *lookup, "{text}");
        assert_eq!((identity.kind(), identity.scope()), (*kind, ""));
        let both = [IdentityKind::Phone, IdentityKind::WaId];
        assert!(both.iter().all(|kind| identity.kinds().contains(kind)));
    }
}

#[test]
fn what_is_no_telephone_says_why() {
    use InvalidIdentity::*;
    let phone = |text| read(IdentityKind::Phone, "", text);
    assert_eq!(phone("190"), Err(ServiceNumber));
    assert_eq!(phone("ana"), Err(Phone(NotANumber::Characters)));
    assert_eq!(phone("23 3123-4567"), Err(Phone(NotANumber::Area)));
    assert_eq!(phone(""), Err(Phone(NotANumber::Characters)));
    for text in [
        "",
        "123456",
        "5511 98765-4321",
        "1234567890123456",
        "055111",
    ] {
        assert_eq!(read(IdentityKind::WaId, "", text), Err(WaId), "{text}");
    }
}

#[test]
fn an_address_keeps_its_case_before_the_at_and_is_found_without() {
    let address = read(IdentityKind::Email, "", " Ana.Souza@Exemplo.COM.BR ").expect("an address");
    assert_eq!(address.external_id(), "Ana.Souza@exemplo.com.br");
    assert_eq!(address.lookup(), "ana.souza@exemplo.com.br");
    let plus = read(IdentityKind::Email, "", "ana+loja@exemplo.com").expect("an address");
    assert_eq!(plus.lookup(), "ana+loja@exemplo.com");
    let (long, longest) = ("a".repeat(65), "a".repeat(64));
    assert!(Identity::email(&format!("{longest}@b.com")).is_ok());
    let long = format!("{long}@b.com");
    #[rustfmt::skip]
    let wrong = [
        "", "@", "ana", "ana@", "@b.com", "ana@b", "ana@b..com", "ana@.com", "ana@b.com.", "a na@b.com",
        "ana@b@c.com", "<ana@b.com>", "ana@b.com,eva@b.com", "ana\n@b.com", &long,
    ];
    for text in wrong {
        let why = read(IdentityKind::Email, "", text);
        assert_eq!(why, Err(InvalidIdentity::Email), "{text:?}");
    }
}

#[test]
fn of_a_cpf_only_a_keyed_hash_and_the_last_digits_are_kept() {
    let cpf = Identity::cpf("529.982.247-25", &key(1)).expect("a CPF");
    assert_eq!(cpf.external_id(), "***.***.*47-25");
    assert_eq!(cpf.lookup().len(), 64);
    assert!(!format!("{cpf:?}").contains("529982247"));
    let bare = Identity::cpf("52998224725", &key(1)).expect("a CPF");
    assert_eq!(bare, cpf, "however it is written");
    let other = Identity::cpf("52998224725", &key(2)).expect("a CPF");
    assert_ne!(other.lookup(), cpf.lookup(), "whoever lacks the key");
    assert_eq!(format!("{:?}", key(7)), "CpfKey");
}

#[test]
fn the_check_digits_of_a_cpf_are_checked() {
    for right in [
        "529.982.247-25",
        "111.444.777-35",
        "000.000.001-91",
        "123.456.789-09",
    ] {
        assert!(document::cpf(right).is_ok(), "{right}");
    }
    #[rustfmt::skip]
    let wrong = [
        ("529.982.247-24", InvalidCpf::CheckDigits), ("529.982.247-15", InvalidCpf::CheckDigits),
        ("592.982.247-25", InvalidCpf::CheckDigits), ("111.111.111-11", InvalidCpf::CheckDigits),
        ("000.000.000-00", InvalidCpf::CheckDigits), ("1234567890", InvalidCpf::Length),
        ("", InvalidCpf::Length), ("123456789012", InvalidCpf::Length),
        ("529.982.247-2A", InvalidCpf::Characters), ("５２９98224725", InvalidCpf::Characters),
    ];
    for (text, why) in wrong {
        assert_eq!(document::cpf(text), Err(why), "{text}");
    }
}

#[test]
fn a_cnpj_may_have_letters() {
    #[rustfmt::skip]
    let right = [
        ("11.222.333/0001-81", "11222333000181"), ("00.000.000/0001-91", "00000000000191"),
        // The example of the Receita Federal.
        ("12.ABC.345/01DE-35", "12ABC34501DE35"), ("12.abc.345/01de-35", "12ABC34501DE35"),
        ("70.32D.BW7/0001-44", "7032DBW7000144"),
    ];
    for (text, number) in right {
        let cnpj = read(IdentityKind::Cnpj, "", text).expect(text);
        assert_eq!((cnpj.external_id(), cnpj.lookup()), (number, number));
    }
    #[rustfmt::skip]
    let wrong = [
        ("11.222.333/0001-80", InvalidCnpj::CheckDigits), ("11.222.333/0001-91", InvalidCnpj::CheckDigits),
        ("12.ABC.345/01DE-53", InvalidCnpj::CheckDigits), ("12.ABD.345/01DE-35", InvalidCnpj::CheckDigits),
        ("00.000.000/0000-00", InvalidCnpj::CheckDigits), ("12.ABC.345/01DE-3A", InvalidCnpj::Characters),
        ("12.ÁBC.345/01DE-35", InvalidCnpj::Characters), ("11.222.333/0001", InvalidCnpj::Length),
        ("", InvalidCnpj::Length),
    ];
    for (text, why) in wrong {
        assert_eq!(document::cnpj(text), Err(why), "{text}");
    }
}

#[test]
fn a_scope_is_there_where_it_is_needed_and_nowhere_else() {
    for kind in IdentityKind::ALL {
        let text = match kind {
            IdentityKind::Phone => "1131234567",
            IdentityKind::WaId => "551131234567",
            IdentityKind::Email => "ana@exemplo.com",
            IdentityKind::Cpf => "52998224725",
            IdentityKind::Cnpj => "11222333000181",
            IdentityKind::WaBsuid | IdentityKind::WaParentBsuid => "BR.1502xY",
            IdentityKind::Psid
            | IdentityKind::Igsid
            | IdentityKind::MlUser
            | IdentityKind::TgChat
            | IdentityKind::XUser
            | IdentityKind::Generic => "7041776",
        };
        let (with, without) = (read(*kind, "loja", text), read(*kind, "", text));
        if kind.is_scoped() {
            assert_eq!(without, Err(InvalidIdentity::ScopeMissing), "{kind}");
            let identity = with.expect(text);
            assert_eq!((identity.scope(), identity.lookup()), ("loja", text));
        } else {
            assert_eq!(with, Err(InvalidIdentity::ScopeUnwanted), "{kind}");
            assert!(without.is_ok(), "{kind}");
        }
    }
    for text in ["", " ", "a b", "a\u{0}b", &"x".repeat(201)] {
        let why = read(IdentityKind::Generic, "loja", text);
        assert_eq!(why, Err(InvalidIdentity::Opaque), "{text:?}");
    }
}

#[test]
fn whatever_is_written_is_read_or_refused_and_read_again_it_is_the_same() {
    let mut random = StdRng::seed_from_u64(7);
    let letters: Vec<char> = "0123456789551199+@.ana-/ éÁ\u{0}".chars().collect();
    let mut readable = 0;
    for _ in 0..100_000 {
        let length = random.next_u32() as usize % 20;
        let text: String = (0..length)
            .map(|_| letters[random.next_u32() as usize % letters.len()])
            .collect();
        for kind in IdentityKind::ALL {
            let scope = if kind.is_scoped() { "s" } else { "" };
            let Ok(identity) = read(*kind, scope, &text) else {
                continue;
            };
            readable += 1;
            if *kind != IdentityKind::Cpf {
                let again = read(*kind, scope, identity.external_id());
                assert_eq!(again.as_ref(), Ok(&identity), "{text}");
            }
        }
    }
    assert!(readable > 1_000, "{readable}");
}
