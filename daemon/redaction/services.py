"""Tokens of well-known services: how each of them begins and goes on, beside one that looks like it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: (service, pattern, example). The issuers describe these forms; a `¦` in an example, to be taken out, keeps
#: scanners from taking this file for a leak.
SERVICES: Final[tuple[tuple[str, str, str], ...]] = (
    ("GitHub", r"gh[pousr]_[A-Za-z0-9]{36,255}", "ghp¦_16C7e42F292c6912E7710c838347Ae178B4a"),
    ("GitHub", r"github_pat_\w{22,255}", "git¦hub_pat_11ABCDEFG0aBcDeFgHiJkL_xyz"),
    ("GitLab", r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|oas|imt|ffct)-[\w.-]{20,300}", "glp¦at-aB3dE5fG7hJ9kL1mN3pQ"),
    ("AWS", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])", "AKI¦AIOSFODNN7EXAMPLE"),
    ("Slack", r"xox[abceoprs]-[A-Za-z0-9-]{10,255}", "xox¦b-2444333222-abcdefGHIJ"),
    ("Slack", r"xapp-\d-[A-Za-z0-9-]{10,255}", "xap¦p-1-A0B1C2D3E4F-1234567890-abcdef"),
    ("Slack", r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/]{20,255}", "https://hoo¦ks.slack.com/services/T0000/B0000/XXXXyyyyZZZZ"),
    ("Discord", r"https://(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks/\d{15,21}/[\w-]{20,100}", "https://dis¦cord.com/api/webhooks/123456789012345678/aB3dE5fG7hJ9kL1mN3pQ"),
    ("Discord", r"[MNO][\w-]{23,26}\.[\w-]{6}\.[\w-]{27,45}(?![\w-])", "MTAy¦NzM0NTY3ODkwMTIzNDU2Nz.GaBcDe.aB3dE5fG7hJ9kL1mN3pQ5rS7tU9"),
    ("Stripe", r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,255}", "sk_¦live_4eC39HqLyjWDarjtT1zdp7dc"),
    ("Stripe and Svix", r"whsec_[A-Za-z0-9+/]{24,90}=?", "whs¦ec_aB3dE5fG7hJ9kL1mN3pQ5rS7"),
    ("Google", r"AIza[\w-]{35}", "AIz¦aSyD3x9aB_cDeFgHiJkLmNoPqRsTuVwXyZ01"),
    ("Google", r"ya29\.[\w.-]{20,2000}", "ya2¦9.a0AfH6SMBxyzABCDEF1234567"),
    ("Google", r"GOCSPX-[\w-]{20,40}", "GOC¦SPX-aB3dE5fG7hJ9kL1mN3pQ5rS7"),
    ("Google", r"1//0[\w-]{30,110}", "1//¦0gaB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1x"),
    ("OpenAI and services that copied its form", r"sk-(?=[\w-]{0,255}\d)(?=[\w-]{0,255}[A-Z])[\w-]{20,255}", "sk-¦proj-aB3dE5fG7hJ9kL1mN3pQ5rS7"),
    ("Hugging Face", r"(?:hf|api_org)_[A-Za-z0-9]{30,60}", "hf_¦aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH"),
    ("DeepL", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:fx(?!\w)", "f1c1ef6a-a0a7-4e46-b6f5¦-dbc39e186ddc:fx"),
    ("Firebase", r"AAAA[\w-]{7}:APA91[\w-]{40,300}", "AAA¦AaB3dE5f:APA91baB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3p"),
    ("Groq", r"gsk_[A-Za-z0-9]{40,80}", "gsk¦_aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3pQ"),
    ("xAI", r"xai-[A-Za-z0-9]{60,100}", "xai¦-aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1m"),
    ("Replicate", r"r8_[A-Za-z0-9]{30,50}", "r8_¦aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9k"),
    ("Perplexity", r"pplx-[A-Za-z0-9]{32,80}", "ppl¦x-aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG"),
    ("npm", r"npm_[A-Za-z0-9]{36}", "npm¦_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5"),
    ("PyPI", r"pypi-[\w-]{50,300}", "pyp¦i-AgEIcHlwaS5vcmcaB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9k"),
    ("RubyGems", r"rubygems_[a-f0-9]{48}", "ruby¦gems_0123456789abcdef0123456789abcdef0123456789abcdef"),
    ("crates.io", r"cio[A-Za-z0-9]{32}(?![A-Za-z0-9])", "cio¦aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY"),
    ("Docker", r"dckr_(?:pat|oat)_[\w-]{20,60}", "dck¦r_pat_aB3dE5fG7hJ9kL1mN3pQ5rS7"),
    ("SendGrid", r"SG\.[\w-]{16,40}\.[\w-]{16,60}", "SG.¦aB3dE5fG7hJ9kL1mN3pQ5r.aB3dE5fG7hJ9kL1mN3pQ5r"),
    ("Mailgun", r"key-[0-9a-f]{32}(?![0-9a-f])", "key¦-0123456789abcdef0123456789abcdef"),
    ("Mailchimp", r"[0-9a-f]{32}-us\d{1,2}(?!\w)", "0123456789abcdef0123456789abcdef¦-us12"),
    ("Twilio", r"SK[0-9a-f]{32}(?![0-9a-f])", "SK¦0123456789abcdef0123456789abcdef"),
    ("Square", r"sq0(?:atp|csp|idp)-[\w-]{22,43}", "sq0¦atp-aB3dE5fG7hJ9kL1mN3pQ5r"),
    ("DigitalOcean", r"do[por]_v1_[a-f0-9]{64}", "dop¦_v1_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
    ("Shopify", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}", "shp¦at_0123456789abcdef0123456789abcdef"),
    ("Telegram", r"\d{8,10}:AA[\w-]{33}(?![\w-])", "110201543¦:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawA"),
    ("Databricks", r"dapi[a-f0-9]{32}(?:-\d)?", "dap¦i0123456789abcdef0123456789abcdef"),
    ("Atlassian", r"ATATT3x[\w=-]{60,300}", "ATA¦TT3xFfGF0aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7"),
    ("Bitbucket", r"ATBB[A-Za-z0-9]{32}", "ATB¦BaB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY"),
    ("Linear", r"lin_(?:api|oauth)_[A-Za-z0-9]{32,64}", "lin¦_api_aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1m"),
    ("Notion", r"(?:ntn_[A-Za-z0-9]{40,50}|secret_[A-Za-z0-9]{43})(?![A-Za-z0-9])", "ntn¦_aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3pQ5r"),
    ("Postman", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}", "PMA¦K-0123456789abcdef01234567-0123456789abcdef0123456789abcdef01"),
    ("Figma", r"fig[duo]_[\w-]{36,60}", "fig¦d_aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1m"),
    ("Grafana", r"gl(?:sa_[A-Za-z0-9]{32}_[a-f0-9]{8}|c_[A-Za-z0-9+/]{32,400}={0,2})", "gls¦a_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY_0123abcd"),
    ("Vault", r"hv[sbr]\.[\w-]{24,300}", "hvs¦.CAESIaB3dE5fG7hJ9kL1mN3pQ5rS7"),
    ("Terraform", r"[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,70}", "aB3dE5fG7hJ9kL¦.atlasv1.aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1m"),
    ("Doppler", r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[\w-]{2,35}\.)?[A-Za-z0-9]{40,44}", "dp.¦pt.aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3p"),
    ("Sentry", r"sntry[su]_[\w=+/-]{40,400}", "snt¦ryu_0123456789abcdef0123456789abcdef0123456789abcdef"),
    ("New Relic", r"NR(?:AK|JS|II|IQ|RA|BR|AA)-[\w-]{19,42}", "NRA¦K-ABCDEFGH1JKLMNOPQRSTUVWXYZ2"),
    ("PlanetScale", r"pscale_(?:tkn|pw|oauth)_[\w.-]{32,64}", "psc¦ale_tkn_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY"),
    ("Netlify", r"nf[pocub]_[A-Za-z0-9]{36}", "nfp¦_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5"),
    ("Supabase", r"sb(?:p|p_oauth)_[a-f0-9]{40}|sb_secret_[\w-]{20,60}", "sbp¦_0123456789abcdef0123456789abcdef01234567"),
    ("Airtable", r"pat[A-Za-z0-9]{14}\.[a-f0-9]{64}", "pat¦aB3dE5fG7hJ9kL.0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
    ("Heroku", r"HRKU-[\w-]{36,80}", "HRK¦U-01234567-89ab-cdef-0123-456789abcdef"),
    ("Tailscale", r"tskey-(?:auth|api|client|scim|webhook)-[\w-]{20,80}", "tsk¦ey-auth-kaB3dE5fCNTRL-aB3dE5fG7hJ9kL1mN3pQ5rS7"),
    ("Fly", r"fm[12][ar]?_[A-Za-z0-9+/=,_-]{60,1500}|fo1_[\w-]{43}", "fo1¦_aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3p"),
    ("Alibaba", r"LTAI[A-Za-z0-9]{12,20}(?![A-Za-z0-9])", "LTA¦I5tAbCdEfGhIjKlMnOpQr"),
    ("Tencent", r"AKID[A-Za-z0-9]{32}(?![A-Za-z0-9])", "AKI¦DaB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY"),
    ("Yandex", r"(?:y[0-3]_[\w-]{55,60}|t1\.[A-Z0-9a-z_-]+={0,2}\.[\w-]{86}={0,2})", "y0_¦aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG"),
    ("Microsoft", r"[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}", "aB3¦8Q~aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z"),
    ("Azure", r"(?<=AccountKey=)[A-Za-z0-9+/]{40,90}={0,2}|(?<=SharedAccessKey=)[A-Za-z0-9+/]{40,90}={0,2}", "AccountK¦ey=aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3pQ5rS7=="),
    ("SonarQube", r"sq[pua]_[a-f0-9]{40}", "sqp¦_0123456789abcdef0123456789abcdef01234567"),
    ("Artifactory", r"AKCp[A-Za-z0-9]{60,80}", "AKC¦p8aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1m"),
    ("Mapbox", r"[sp]k\.eyJ[\w-]{20,120}\.[\w-]{20,40}", "sk.¦eyJ1IjoiYW5uIiwiYSI6ImNrIn0.aB3dE5fG7hJ9kL1mN3pQ5r"),
    ("Facebook", r"EAA[A-Za-z0-9]{60,300}", "EAA¦CEdEose0cBAaB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5f"),
    ("Dynatrace", r"dt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}", "dt0¦c01.ST2EY72KQINMH574WMNVI7YN.G3DFPBEJYMODIDAEX454M7YWBUVEFOWKPRVMWFASS64NFH52PX6BNDVFFM572RZM"),
    ("Buildkite", r"bk(?:ua|aj|at|ct|pt)_[a-f0-9]{40}", "bku¦a_0123456789abcdef0123456789abcdef01234567"),
    ("CircleCI", r"CCI(?:PAT|PRJ)_[A-Za-z0-9]{22}_[a-f0-9]{40}", "CCI¦PAT_aB3dE5fG7hJ9kL1mN3pQ5r_0123456789abcdef0123456789abcdef01234567"),
    ("Pulumi", r"pul-[a-f0-9]{40}", "pul¦-0123456789abcdef0123456789abcdef01234567"),
    ("Contentful", r"CFPAT-[\w-]{43}", "CFP¦AT-aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3p"),
    ("1Password", r"ops_eyJ[A-Za-z0-9+/=_-]{100,2000}", "ops¦_eyJaB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE"),
    ("Dropbox", r"sl\.(?:u\.)?[\w-]{120,1400}", "sl.¦BaB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dEfG7hJ9kL1mN3pQ5rS7"),
    ("age", r"AGE-SECRET-KEY-1[0-9A-Z]{50,70}", "AGE¦-SECRET-KEY-1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZ"),
    ("Bitcoin (BIP 32)", r"[xyz]prv[1-9A-HJ-NP-Za-km-z]{107,108}", "xpr¦v9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"),
    ("JSON web token (RFC 7519)", r"eyJ[\w-]{8,4000}\.eyJ[\w-]{8,8000}\.[\w-]{0,1000}", "eyJ¦hbGciOiJIUzI1NiJ9.eyJ¦zdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"),
)  # fmt: skip

# A word before it, as in `task-` for `sk-`, makes it another word; an underscore or a sign does not.
_ANY: Final = "|".join(pattern for _, pattern, _ in SERVICES)
_TOKEN: Final = re.compile(rf"(?<![A-Za-z0-9-])(?:{_ANY})")
_ANOTHER: Final = re.compile(_ANY)

#: The shortest word that a token is, in characters.
SHORTEST: Final = 20
_RUN: Final = re.compile(rf"(?<!\S)\S{{{SHORTEST},}}")


def find(text: str) -> Iterator[tuple[int, int]]:
    """Where tokens are in `text`, each as [start, end)."""
    for run in _RUN.finditer(text):
        match = _TOKEN.search(text, *run.span())
        while match is not None:
            yield match.span()
            end = match.end()
            match = _ANOTHER.match(text, end, run.end()) or _TOKEN.search(text, end, run.end())
