"""Rules for tokens of well-known services, each with an example."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from idiolect.daemon.text.redaction.rule import lazy

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
    ("1Password", r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}", "A3-AB3¦DE5-AB3DE5-AB3DE-AB3DE-AB3DE-AB3DE"),
    ("Adafruit", r"aio_[A-Za-z0-9]{28}", "aio_aB¦3dE5fG7hJ9kL1mN3pQ5rS7tU9v"),
    ("Adobe", r"p8e-[a-z0-9]{32}", "p8e-ab¦3de5fg7hj9kl1mn3pq5rs7tu9vw1xy"),
    ("Asana", r"[12]/\d{13,16}(?:/\d{13,16})?:[0-9a-f]{32}", "2/1204¦567890123456/1204567890123457:0123456789abcdef0123456789abcdef"),
    ("Azure DevOps", r"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}", "aB3dE5¦fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ9rS1tU3vW5xY7zA9bC1dAZDOaB3d"),
    ("Bitcoin (WIF)", r"[5KL][1-9A-HJ-NP-Za-km-z]{50,51}(?![A-Za-z0-9])", "5aB3dE¦5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL"),
    ("Bitcoin (BIP 38)", r"6P[1-9A-HJ-NP-Za-km-z]{56}(?![A-Za-z0-9])", "6PaB3d¦E5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ"),
    ("Brevo", r"x(?:key|smtp)sib-[a-f0-9]{64}-[A-Za-z0-9]{16}", "xkeysi¦b-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef-aB3dE5fG7hJ9kL1m"),
    ("Cal.com", r"cal_(?:live_)?[a-f0-9]{32}", "cal_li¦ve_0123456789abcdef0123456789abcdef"),
    ("Clojars", r"CLOJARS_[a-z0-9]{60}", "CLOJAR¦S_ab3de5fg7hj9kl1mn3pq5rs7tu9vw1xy3za5bc7de9fg1hj3kl5mn7pq9rs1"),
    ("Cloudflare", r"v1\.0-[a-f0-9]{24}-[a-f0-9]{146}", "v1.0-0¦123456789abcdef01234567-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef01"),
    ("Duffel", r"duffel_(?:test|live)_[\w=-]{43}", "duffel¦_live_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9f"),
    ("EasyPost", r"EZ[AT]K[A-Za-z0-9]{54}", "EZAKaB¦3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7"),
    ("Flutterwave", r"FLW(?:PUB|SEC)K(?:_TEST)?-[A-Za-z0-9]{12,32}(?:-X)?", "FLWSEC¦K-0123456789abcdef0123456789abcdef-X"),
    ("Frame.io", r"fio-u-[\w=-]{64}", "fio-u-¦aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ9rS1tU3v"),
    ("GitLab runner, as it was", r"GR1348941[\w-]{20}", "GR1348¦941aB3dE5fG7hJ9kL1mN3pQ"),
    ("Harness", r"(?:pat|sat)\.[\w-]{22}\.[a-f0-9]{24}\.[A-Za-z0-9]{20}", "pat.aB¦3dE5fG7hJ9kL1mN3pQ5r.0123456789abcdef01234567.aB3dE5fG7hJ9kL1mN3pQ"),
    ("HubSpot", r"pat-(?:na|eu|ap)\d-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "pat-eu¦1-01234567-0123-0123-0123-0123456789ab"),
    ("Infracost", r"ico-[A-Za-z0-9]{32}", "ico-aB¦3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY"),
    ("Jina", r"jina_[\w-]{40,70}", "jina_a¦B3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ9rS1"),
    ("Langfuse", r"[sp]k-lf-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "sk-lf-¦01234567-0123-0123-0123-0123456789ab"),
    ("LangSmith", r"lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}", "lsv2_p¦t_0123456789abcdef0123456789abcdef_0123456789"),
    ("LaunchDarkly", r"(?:api|sdk|mob)-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "sdk-01¦234567-0123-4012-0123-0123456789ab"),
    ("Lichess", r"lip_[A-Za-z0-9]{20}(?![A-Za-z0-9])", "lip_aB¦3dE5fG7hJ9kL1mN3pQ"),
    ("Lob, Mollie and GoCardless", r"(?:live|test)_(?:pub_)?(?:[a-f0-9]{31,35}|[A-Za-z0-9]{30}|[\w=-]{40})(?![\w-])", "live_a¦B3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1"),
    ("Mailgun, as it signs", r"pubkey-[a-f0-9]{32}", "pubkey¦-0123456789abcdef0123456789abcdef"),
    ("MaxMind", r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk", "aB3dE5¦_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW_mmk"),
    ("Microsoft Teams", r"https://[\w.-]{3,80}\.webhook\.office\.com/webhookb2/[\w@/-]{60,250}", "https:¦//firma.webhook.office.com/webhookb2/01234567-0123-0123-0123-0123456789ab@01234567-0123-0123-0123-0123456789ab/IncomingWebhook/0123456789abcdef0123456789abcdef/01234567-0123-0123-0123-0123456789ab"),
    ("ngrok", r"(?:ak_)?2[A-Za-z0-9]{26}_[A-Za-z0-9]{18,24}(?![A-Za-z0-9])", "2aB3dE¦5fG7hJ9kL1mN3pQ5rS7tU_aB3dE5fG7hJ9kL1mN3pQ5"),
    ("Nostr (NIP 19)", r"nsec1[02-9ac-hj-np-z]{58}", "nsec1q¦pzry9x8gf2tvdw0s3jn54khce6mua7lqpzry9x8gf2tvdw0s3jn54khce"),
    ("NuGet", r"oy2[a-z0-9]{43}(?![a-z0-9])", "oy2ab3¦de5fg7hj9kl1mn3pq5rs7tu9vw1xy3za5bc7de9f"),
    ("Nvidia", r"nvapi-[\w-]{60,80}", "nvapi-¦aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ9rS1tU3v"),
    ("Octopus Deploy", r"API-[A-Z0-9]{25,32}(?![A-Za-z0-9])", "API-AB¦3DE5FG7HJ9KL1MN3PQ5RS7TU"),
    ("OpenShift", r"sha256~[\w-]{43}", "sha256¦~aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9f"),
    ("PayPal", r"access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32}", "access¦_token$production$ab3de5fg7hj9kl1m$0123456789abcdef0123456789abcdef"),
    ("Pinecone", r"pcsk_[A-Za-z0-9]{4,6}_[A-Za-z0-9]{60,70}", "pcsk_a¦B3dE_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ9rS1tU3"),
    ("Plaid", r"access-(?:sandbox|development|production)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "access¦-sandbox-01234567-0123-0123-0123-0123456789ab"),
    ("Prefect", r"pn[ub]_[A-Za-z0-9]{36}", "pnu_aB¦3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5"),
    ("Pushbullet", r"o\.[A-Za-z0-9]{32}(?![A-Za-z0-9])", "o.aB3d¦E5fG7hJ9kL1mN3pQ5rS7tU9vW1xY"),
    ("Razorpay", r"rzp_(?:live|test)_[A-Za-z0-9]{14}(?![A-Za-z0-9])", "rzp_li¦ve_aB3dE5fG7hJ9kL"),
    ("ReadMe", r"rdme_[a-z0-9]{70}", "rdme_a¦b3de5fg7hj9kl1mn3pq5rs7tu9vw1xy3za5bc7de9fg1hj3kl5mn7pq9rs1tu3vw5xy7z"),
    ("Resend", r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,28}(?![A-Za-z0-9])", "re_aB3¦dE5fG_aB3dE5fG7hJ9kL1mN3pQ5rS7"),
    ("Riot", r"RGAPI-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "RGAPI-¦01234567-0123-0123-0123-0123456789ab"),
    ("Scalingo", r"tk-us-[\w-]{48}", "tk-us-¦aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3"),
    ("Shippo", r"shippo_(?:live|test)_[a-f0-9]{40}", "shippo¦_live_0123456789abcdef0123456789abcdef01234567"),
    ("Sourcegraph", r"sgp_(?:(?:[a-f0-9]{16}|local)_)?[a-f0-9]{40}", "sgp_01¦23456789abcdef0123456789abcdef01234567"),
    ("Square, as it was", r"EAAA[\w-]{60}(?![\w-])", "EAAAaB¦3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ9rS1"),
    ("Stellar", r"S[A-Z2-7]{55}(?![A-Za-z0-9])", "SAB3DE¦5FG7HJ7KL2MN3PQ5RS7TU7VW2XY3ZA5BC7DE7FG2HJ3KL5MN7P"),
    ("Svix", r"testsk_[\w.-]{30,60}", "testsk¦_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY"),
    ("Tavily", r"tvly-(?:dev-|prod-)?[A-Za-z0-9]{30,48}", "tvly-d¦ev-aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY"),
    ("Twitch", r"oauth:[a-z0-9]{30}(?![a-z0-9])", "oauth:¦ab3de5fg7hj9kl1mn3pq5rs7tu9vw1"),
    ("Typeform", r"tfp_[\w.=-]{40,60}", "tfp_aB¦3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ9rS"),
    ("Vercel", r"vc[pkair]_[A-Za-z0-9]{24,70}", "vcp_aB¦3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ"),
    ("Weights and Biases", r"wandb_v1_[\w-]{40,90}", "wandb_¦v1_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ9rS1tU3vW5xY7zA9bC1dE"),
)  # fmt: skip # a text and what becomes of it to a line

# A word before it, as in `task-` for `sk-`, makes it another word; an underscore or a sign does not.
_ANY: Final = "|".join(pattern for _, pattern, _ in SERVICES)
_TOKEN: Final = lazy(rf"(?<![A-Za-z0-9-])(?:{_ANY})")
_ANOTHER: Final = lazy(_ANY)

#: The shortest word that a token is, in characters.
SHORTEST: Final = 20
_RUN: Final = lazy(rf"(?<!\S)\S{{{SHORTEST},}}")


def find(text: str) -> Iterator[tuple[int, int]]:
    """Where tokens are in `text`, each as [start, end)."""
    for run in _RUN.finditer(text):
        match = _TOKEN.search(text, *run.span())
        while match is not None:
            yield match.span()
            end = match.end()
            match = _ANOTHER.match(text, end, run.end()) or _TOKEN.search(text, end, run.end())
