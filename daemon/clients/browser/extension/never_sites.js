// Sites on which nothing is ever suggested or learned: banks, payments, password managers, keys.
//
// A row holds for the domain and all below it. `WORDS` finds the many banks that no list has, by a part of their name.

const NEVER = `
  1password.com 1password.eu 1password.ca bitwarden.com bitwarden.eu vault.bitwarden.com dashlane.com lastpass.com
  keepersecurity.com keepersecurity.eu nordpass.com roboform.com enpass.io passbolt.com psono.com padloc.app
  pass.proton.me account.proton.me passwords.google.com accounts.google.com login.microsoftonline.com login.live.com
  appleid.apple.com account.apple.com idmsa.apple.com vault.zoho.com vault.zoho.eu stickypassword.com teampasswordmanager.com
  zohovault.com authy.com okta.com duosecurity.com onelogin.com auth0.com id.me login.gov

  paypal.com paypal.me stripe.com klarna.com adyen.com wise.com revolut.com monzo.com starlingbank.com n26.com
  venmo.com cash.app zellepay.com skrill.com neteller.com payoneer.com squareup.com sumup.com mollie.com alipay.com
  pay.google.com pay.amazon.com coinbase.com kraken.com binance.com bitstamp.net gemini.com blockchain.com ledger.com
  trezor.io metamask.io

  chase.com bankofamerica.com wellsfargo.com citi.com citibank.com usbank.com capitalone.com pnc.com truist.com
  td.com tdbank.com ally.com schwab.com fidelity.com vanguard.com americanexpress.com discover.com usaa.com
  navyfederal.org goldmansachs.com marcus.com morganstanley.com etrade.com robinhood.com interactivebrokers.com
  regions.com fifththird.com key.com huntington.com mtb.com citizensbank.com santander.com santander.co.uk
  rbcroyalbank.com rbc.com scotiabank.com bmo.com cibc.com desjardins.com tangerine.ca
  hsbc.com hsbc.co.uk barclays.co.uk barclays.com lloydsbank.com lloydsbank.co.uk natwest.com rbs.co.uk
  nationwide.co.uk halifax.co.uk tsb.co.uk firstdirect.com co-operativebank.co.uk virginmoney.com
  deutsche-bank.de commerzbank.de comdirect.de ing.de ing.com ing.nl ing.be dkb.de sparkasse.de postbank.de
  targobank.de hypovereinsbank.de norisbank.de consorsbank.de gls.de vr.de union-investment.de
  bnpparibas.com bnpparibas.net mabanque.bnpparibas societegenerale.fr sg.fr credit-agricole.fr lcl.fr
  caisse-epargne.fr banquepopulaire.fr creditmutuel.fr cic.fr labanquepostale.fr boursorama.com boursobank.com
  fortuneo.fr hellobank.fr
  bbva.com bbva.es caixabank.es bancosantander.es bankinter.com bancsabadell.com ingdirect.es
  intesasanpaolo.com unicredit.it unicreditgroup.eu bancobpm.it fineco.it fineco.com mps.it
  abnamro.nl abnamro.com rabobank.nl rabobank.com asnbank.nl snsbank.nl bunq.com kbc.be belfius.be
  ubs.com credit-suisse.com postfinance.ch zkb.ch raiffeisen.ch raiffeisen.at erstegroup.com bawag.at sparkasse.at
  nordea.com nordea.fi nordea.se danskebank.com danskebank.dk seb.se swedbank.se handelsbanken.se dnb.no op.fi
  pkobp.pl ipko.pl mbank.pl bankmillennium.pl pekao.com.pl csob.cz kb.cz csas.cz otpbank.hu bancatransilvania.ro
  sbi.co.in onlinesbi.sbi hdfcbank.com icicibank.com axisbank.com kotak.com
  icbc.com.cn ccb.com boc.cn abchina.com cmbchina.com dbs.com ocbc.com uob.com.sg
  mufg.jp smbc.co.jp mizuhobank.co.jp jp-bank.japanpost.jp rakuten-bank.co.jp
  commbank.com.au westpac.com.au anz.com anz.com.au nab.com.au asb.co.nz kiwibank.co.nz
  itau.com.br bradesco.com.br bb.com.br caixa.gov.br nubank.com.br banamex.com bancoestado.cl bancolombia.com
  standardbank.co.za absa.co.za fnb.co.za nedbank.co.za capitecbank.co.za
`.trim().split(/\s+/);

/** A label of a host's name, or a part of one between hyphens, that says it is a bank's. */
const WORDS =
  /(?:^|[.-])(?:e|i|m|my|net|online|web)?-?(?:bank|banking|banca|banco|banque|creditunion|sparkasse\w*|volksbank\w*|raiffeisen\w*)(?=[.-]|$)/;

/** Whether nothing is ever done on a site, by its host's name. */
export function isNever(site) {
  return NEVER.some((domain) => site === domain || site.endsWith(`.${domain}`)) || WORDS.test(site);
}

/** The list as match patterns; the words can be none, so that the background looks at each site once more. */
export const NEVER_PATTERNS = NEVER.map((domain) => `*://*.${domain}/*`);
