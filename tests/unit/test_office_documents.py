"""Letters: Word's and OpenDocument's files and Rich Text are read as their writers typed them."""

import zipfile
from pathlib import Path

import pytest
from reading import found_in, skips
from reading import texts as read

from idiolect.daemon.sources import office_documents
from idiolect.daemon.sources.file_discovery import said_of_others
from idiolect.daemon.sources.items import FoundFile, LimitError, Skipped
from idiolect.daemon.sources.reader import Reader

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
ODF = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "text", "table", "style", "drawing")
)


def docx(path: Path, body: str, head: str = "") -> Path:
    document = f'<?xml version="1.0" encoding="UTF-8"?>{head}<w:document {W} {MC}><w:body>{body}</w:body></w:document>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", document)
        archive.writestr("word/header1.xml", f"<w:hdr {W}><w:p><w:r><w:t>HEADER</w:t></w:r></w:p></w:hdr>")
        archive.writestr(
            "word/comments.xml", f"<w:comments {W}><w:p><w:r><w:t>COMMENT</w:t></w:r></w:p></w:comments>"
        )
    return path


def odt(path: Path, text: str, styles: str = "", head: str = "") -> Path:
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<office:document-content {ODF}>'
        f"<office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:text>{text}</office:text></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", content)
        archive.writestr("styles.xml", f"<a {ODF}><text:p>FOOTER</text:p></a>")
    return path


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def test_a_letter_of_word_is_its_paragraphs(tmp_path):
    body = (
        f"<w:p><w:pPr><w:pStyle w:val='Heading1'/></w:pPr>{run('About herons')}</w:p>"
        f"<w:p>{run('Dear Ada, ')}{run('they stand ')}<w:hyperlink>{run('still &amp; wait')}</w:hyperlink>.</w:p><w:p/>"
        f"<w:p><w:pPr><w:tabs><w:tab w:val='left'/></w:tabs></w:pPr>"
        f"<w:r><w:t>One</w:t><w:br/><w:t>two</w:t></w:r></w:p>"
        f"<w:p>{run('It is ')}<w:del>{run('DELETED')}<w:r><w:delText>DELETED</w:delText></w:r></w:del>"
        f"<w:ins>{run('new')}</w:ins><w:r><w:instrText>FIELD</w:instrText></w:r>.</w:p>"
        f"<w:p><w:pPr><w:pStyle w:val='IntenseQuote'/></w:pPr>{run('QUOTED')}</w:p>"
        f"<w:p><w:pPr><w:pStyle w:val='TOC1'/></w:pPr>{run('CONTENTS')}</w:p>"
        f"<w:tbl><w:tr><w:tc><w:p>{run('TABLE')}</w:p></w:tc></w:tr></w:tbl>"
        f"<w:p>{run('Outside ')}<mc:AlternateContent><mc:Choice><w:txbxContent><w:p>{run('BOX')}</w:p></w:txbxContent>"
        f"</mc:Choice><mc:Fallback><w:p>{run('BOX')}</w:p></mc:Fallback></mc:AlternateContent>{run('the box')}</w:p>"
    )
    path = docx(tmp_path / "Letter.DOCX", body)
    assert read(path) == [
        "About herons",
        "Dear Ada, they stand still & wait",
        "One\ntwo",
        "It is new",
        "Outside the box",
    ]


def test_a_letter_of_libreoffice_is_its_paragraphs(tmp_path):
    text = (
        "<text:tracked-changes><text:p>DELETED</text:p></text:tracked-changes>"
        "<text:h>About herons</text:h>"
        "<text:p>Dear Ada,<text:s text:c='2'/>they <text:span>stand</text:span><text:tab/>still."
        "<text:line-break/>So.</text:p>"
        "<text:p text:style-name='P1'>QUOTED</text:p><text:p text:style-name='Quotations'>QUOTED</text:p>"
        "<text:p>Noted<text:note><text:p>NOTE</text:p></text:note><office:annotation><text:p>COMMENT</text:p>"
        "</office:annotation> here.</text:p>"
        "<table:table><table:table-row><table:table-cell><text:p>TABLE</text:p></table:table-cell></table:table-row></table:table>"
        "<text:list><text:list-item><text:p>First.</text:p></text:list-item></text:list>"
        "<text:table-of-content><text:p>CONTENTS</text:p></text:table-of-content>"
    )
    styles = "<style:style style:name='P1' style:parent-style-name='Quotations'/>"
    path = odt(tmp_path / "letter.odt", text, styles)
    assert read(path) == ["About herons", "Dear Ada,  they stand\tstill.\nSo.", "Noted here.", "First."]


def test_rich_text_is_its_paragraphs(tmp_path):
    path = tmp_path / "letter.rtf"
    path.write_bytes(
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Times;}}{\header HEADER\par}{\info{\author AUTHOR}}"
        rb"Dear \b Ada\b0 ,\par Gr\'fc\'dfe aus K\u246?ln.\par{\pict 0123456789abcdef}}"
    )
    assert read(path) == ["Dear Ada,", "Grüße aus Köln."]


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


def test_a_document_type_is_refused(tmp_path):
    for path in (
        docx(tmp_path / "a.docx", f"<w:p>{run('&b;')}</w:p>", BOMB),
        odt(tmp_path / "a.odt", "&b;", head=BOMB),
    ):
        assert [isinstance(found, Skipped) and found.reason for found in found_in(path)] == [
            "damaged documents"
        ]


@pytest.mark.parametrize("name", ["letter.docx", "letter.odt", "letter.rtf"])
def test_a_damaged_document_is_a_note(tmp_path, name):
    for content in (b"", b"PK\x03\x04 broken", b"no such thing", b"{\\rtf1 {{{"):
        (tmp_path / name).write_bytes(content)
        assert len(found_in(tmp_path / name)) <= 1


def test_a_document_that_unpacks_to_more_than_any_letter_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(office_documents, "MAX_UNPACKED_BYTES", 100_000)
    path = docx(tmp_path / "a.docx", f"<w:p>{run('One.')}</w:p>" + f"<w:p>{run('a' * 5000)}</w:p>" * 100)
    with pytest.raises(LimitError, match="unpacks to more than"):
        read(path)


def test_elements_within_elements_without_end_are_refused(tmp_path):
    path = docx(tmp_path / "a.docx", f"<w:p>{run('One.')}</w:p>" + "<w:p>" * 5000 + "</w:p>" * 5000)
    assert skips(path).skipped == {"damaged documents": 1}


def test_letters_in_folders_are_documents_and_other_types_are_named(tmp_path, reader: Reader):
    docx(tmp_path / "a.docx", f"<w:p>{run('One.')}</w:p>")
    for name in ("b.pages", "c.pages", "d.key", "e.pdf", "f.jpg"):
        (tmp_path / name).touch()
    found = [*reader.find(tmp_path, ())]
    assert [one.path.name for one in found if isinstance(one, FoundFile)] == ["a.docx"]
    [note] = [one.note for one in found if isinstance(one, Skipped) and one.note]
    assert note == (
        "Of other types: 2 .pages, 1 .jpg, 1 .key, 1 .pdf. Save .pages and .key and .pdf as .docx or .txt to have "
        "them read."
    )
    assert said_of_others({".jpg": 3, "": 1, ".\x1b[31m": 1}) == (
        "Of other types: 3 .jpg, 1 without a type, 1 without a type."
    )
